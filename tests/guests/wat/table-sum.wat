;; Lets two tables grow in turn, each of them within what one table may have.
(core module $memory
  (memory (export "memory") 2)
  (table (export "table") 0 funcref)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8192)))
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "memory" "table" (table $first 0 funcref))
  (table $second 0 funcref)
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (drop (table.grow $first (ref.null func) (i32.const 10000)))
      (drop (table.grow $second (ref.null func) (i32.const 10000)))
      (br $again))
    unreachable)
  (func (export "post") (param i32)))
