;; Gives the host 60 MiB in one call.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "kv-set" (func $kv-set (param i32 i32 i32 i32 i32 i32)))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 960)))
    (call $kv-set (i32.const 64) (i32.const 8) (i32.const 0) (i32.const 0x3c00000) (i32.const 60) (i32.const 128))
    unreachable)
  (func (export "post") (param i32)))
