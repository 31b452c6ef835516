;; Answers bytes that are no UTF-8.
(core module $guest
  (import "memory" "memory" (memory 2))
  (data (i32.const 64) "\c3\28\ff\fe")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 4))
    (i32.const 16))
  (func (export "post") (param i32)))
