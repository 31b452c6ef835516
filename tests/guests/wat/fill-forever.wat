;; Fills its memory again and again with one instruction each, which cannot be
;; interrupted half-way.
(core module $guest
  (import "memory" "memory" (memory 2))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (drop (memory.grow (i32.const 900)))
    (loop $again
      (memory.fill (i32.const 0) (i32.const 1) (i32.const 58982400))
      (br $again))
    unreachable)
  (func (export "post") (param i32)))
