;; Lets a table grow without end.
(core module $guest
  (import "memory" "memory" (memory 2))
  (table $table 0 funcref)
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (drop (table.grow $table (ref.null func) (i32.const 10000)))
      (br $again))
    unreachable)
  (func (export "post") (param i32)))
