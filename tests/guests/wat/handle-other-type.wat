;; Uses a handle of one type as one of another.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "get-stdout" (func $get-stdout (result i32)))
  (import "host" "subscribe" (func $subscribe (param i32) (result i32)))
  (import "host" "check-write" (func $check-write (param i32 i32)))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $check-write (call $subscribe (call $get-stdout)) (i32.const 128))
    unreachable)
  (func (export "post") (param i32)))
