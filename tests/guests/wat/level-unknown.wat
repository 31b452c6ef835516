;; Gives the host a log level that the type does not have.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $log (i32.const 99) (i32.const 64) (i32.const 8) (i32.const 0) (i32.const 0))
    unreachable)
  (func (export "post") (param i32)))
