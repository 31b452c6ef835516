;; Uses up its stack in the allocator.
(core module $memory
  (memory (export "memory") 2)
  (func $deeper (param i32) (result i32) (i32.add (call $deeper (local.get 0)) (i32.const 1)))
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (call $deeper (local.get $size))))
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "post") (param i32)))
