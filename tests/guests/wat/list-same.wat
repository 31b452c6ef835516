;; Gives the host a list of 100,000 fields that are all the same megabyte: little in
;; its own memory, 200 GB if each is copied.
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (local $at i32)
    (drop (memory.grow (i32.const 64)))
    (local.set $at (i32.const 1114112))
    (loop $next
      (i32.store (local.get $at) (i32.const 64))
      (i32.store offset=4 (local.get $at) (i32.const 0x100000))
      (i32.store offset=8 (local.get $at) (i32.const 64))
      (i32.store offset=12 (local.get $at) (i32.const 0x100000))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 2714112))))
    (call $log (i32.const 2) (i32.const 64) (i32.const 8) (i32.const 1114112) (i32.const 100000))
    unreachable)
  (func (export "post") (param i32)))
