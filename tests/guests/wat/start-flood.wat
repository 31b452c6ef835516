;; Calls the host without end from the start function, before any tool is called.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "kv-get" (func $kv-get (param i32 i32 i32)))
  (func $start
    (loop $again
      (call $kv-get (i32.const 64) (i32.const 8) (i32.const 128))
      (br $again)))
  (start $start)
  (data (i32.const 64) "flooding")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "post") (param i32)))
