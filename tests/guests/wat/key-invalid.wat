;; Gives the host a key that is no UTF-8.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "kv-get" (func $kv-get (param i32 i32 i32)))
  (data (i32.const 64) "\c3\28\ff\fe")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $kv-get (i32.const 64) (i32.const 4) (i32.const 128))
    unreachable)
  (func (export "post") (param i32)))
