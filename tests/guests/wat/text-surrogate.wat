;; Answers a surrogate, encoded as if it were a character.
(core module $guest
  (import "memory" "memory" (memory 2))
  (data (i32.const 64) "\ed\a0\80")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 3))
    (i32.const 16))
  (func (export "post") (param i32)))
