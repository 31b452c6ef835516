;; Answers UTF-16 with half of a surrogate pair.
;; strings: utf16
(core module $guest
  (import "memory" "memory" (memory 2))
  (data (i32.const 64) "\00\d8x\00")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 2))
    (i32.const 16))
  (func (export "post") (param i32)))
