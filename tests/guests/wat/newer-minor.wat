;; Imports a capability in a minor version that is newer than the host.
(import "postern:http/client@0.2.0" (instance))
(core module $guest
  (import "memory" "memory" (memory 2))
  (data (i32.const 64) "unharmed")
  (func (export "call") (param i32 i32 i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 24) (i32.const 64))
    (i32.store (i32.const 28) (i32.const 8))
    (i32.const 16))
  (func (export "post") (param i32)))
