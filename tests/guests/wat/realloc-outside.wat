;; Its allocator answers addresses outside of the memory.
(core module $memory
  (memory (export "memory") 2)
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (i32.const 0x7fff0000)))
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "post") (param i32)))
