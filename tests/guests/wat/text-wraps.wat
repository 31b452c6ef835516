;; Answers a text whose address and length wrap around the address space.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 24) (i32.const 0xfffffff0))
    (i32.store (i32.const 28) (i32.const 0x20))
    (i32.const 16))
  (func (export "post") (param i32)))
