;; Exports the tools under their right name, with types of its own.
(component
  (core module $guest
    (memory (export "memory") 1)
    (func (export "call") (result i32) (i32.const 16)))
  (core instance $guest (instantiate $guest))
  (func $call (result string)
    (canon lift (core func $guest "call") (memory (core memory $guest "memory"))))
  (instance $tools (export "call" (func $call)))
  (export "postern:skill/tools@0.1.0" (instance $tools)))
