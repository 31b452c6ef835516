;; Keeps a handle in a global and uses it in the next call, if the instance is the
;; same.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "get-stdout" (func $get-stdout (result i32)))
  (import "host" "check-write" (func $check-write (param i32 i32)))
  (data (i32.const 64) "unharmed")
  (global $kept (mut i32) (i32.const 0))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (if (global.get $kept) (then
      (call $check-write (global.get $kept) (i32.const 128))
      unreachable))
    (global.set $kept (call $get-stdout))
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 8))
    (i32.const 16))
  (func (export "post") (param i32)))
