;; Lets two memories grow in turn, each of them within what one memory may have.
(core module $guest
  (import "memory" "memory" (memory 2))
  (memory $second 1)
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (loop $again
      (drop (memory.grow (i32.const 1)))
      (drop (memory.grow $second (i32.const 1)))
      (br $again))
    unreachable)
  (func (export "post") (param i32)))
