;; Says that its answer lies outside of its memory.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.const 0xfffffff0))
  (func (export "post") (param i32)))
