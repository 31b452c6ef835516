;; Asks for 4 GiB of memory at once.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 65534)))
    unreachable)
  (func (export "post") (param i32)))
