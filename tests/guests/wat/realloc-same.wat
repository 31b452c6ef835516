;; Its allocator answers the same address each time, so that the host overwrites
;; one value with the next.
(core module $memory
  (memory (export "memory") 2)
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (i32.const 8192)))
(core module $guest
  (import "memory" "memory" (memory 2))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 8))
    (i32.const 16))
  (func (export "post") (param i32)))
