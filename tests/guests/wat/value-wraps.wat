;; Gives the host a value whose address and length wrap around.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "kv-set" (func $kv-set (param i32 i32 i32 i32 i32 i32)))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $kv-set (i32.const 64) (i32.const 8) (i32.const 0xfffffff0) (i32.const 0x20) (i32.const 60) (i32.const 128))
    unreachable)
  (func (export "post") (param i32)))
