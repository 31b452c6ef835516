;; Gives the host a list of so many fields that their size in bytes overflows 32 bits
;; and looks small.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $log (i32.const 2) (i32.const 64) (i32.const 8) (i32.const 128) (i32.const 0x10000001))
    unreachable)
  (func (export "post") (param i32)))
