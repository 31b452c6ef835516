;; Loops in the start function, before any tool is called.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func $start (loop $again (br $again)))
  (start $start)
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "post") (param i32)))
