;; Traps in the middle of a host call: the allocator fails while the host hands
;; over its answer.
(core module $memory
  (memory (export "memory") 2)
  (global $armed (export "armed") (mut i32) (i32.const 0))
  (global $next (mut i32) (i32.const 8192))
  (table (export "table") 1 funcref)
  (func (export "realloc") (param $old i32) (param $had i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (if (global.get $armed) (then unreachable))
    (local.set $at (i32.and
      (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
      (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (local.get $at)))
(core module $guest
  (import "memory" "memory" (memory 2))
  (import "host" "kv-get" (func $kv-get (param i32 i32 i32)))
  (import "host" "kv-set" (func $kv-set (param i32 i32 i32 i32 i32 i32)))
  (import "memory" "armed" (global $armed (mut i32)))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (call $kv-set (i32.const 64) (i32.const 8) (i32.const 64) (i32.const 8) (i32.const 60) (i32.const 128))
    (global.set $armed (i32.const 1))
    ;; The host has the answer ready and asks for room for it.
    (call $kv-get (i32.const 64) (i32.const 8) (i32.const 128))
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 8))
    (i32.const 16))
  (func (export "post") (param i32)))
