;; Answers a case that the type does not have.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 20) (i32.const 7))
    (i32.const 16))
  (func (export "post") (param i32)))
