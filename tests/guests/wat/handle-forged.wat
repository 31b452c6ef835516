;; Makes up a handle.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "check-write" (func $check-write (param i32 i32)))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $check-write (i32.const 12345) (i32.const 128))
    unreachable)
  (func (export "post") (param i32)))
