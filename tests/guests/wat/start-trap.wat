;; Traps in the start function.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func $start unreachable)
  (start $start)
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "post") (param i32)))
