;; Gives the same handle back twice.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "get-stdout" (func $get-stdout (result i32)))
  (import "host" "drop-stream" (func $drop-stream (param i32)))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $stdout i32)
    (local.set $stdout (call $get-stdout))
    (call $drop-stream (local.get $stdout))
    (call $drop-stream (local.get $stdout))
    unreachable)
  (func (export "post") (param i32)))
