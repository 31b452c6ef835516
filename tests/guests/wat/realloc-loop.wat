;; Loops in the allocator, which the host calls to hand over the arguments.
(core module $memory
  (memory (export "memory") 2)
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (loop $again (br $again))
    unreachable))
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    unreachable)
  (func (export "post") (param i32)))
