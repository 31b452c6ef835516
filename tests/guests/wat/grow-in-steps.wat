;; Asks for one page after another and touches each.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $page i32)
    (loop $again
      (local.set $page (memory.grow (i32.const 1)))
      (i32.store (i32.shl (local.get $page) (i32.const 16)) (i32.const 1))
      (br $again))
    unreachable)
  (func (export "post") (param i32)))
