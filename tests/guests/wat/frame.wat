;; What every guest written as text stands in: the imports, the export of the
;; tools with their exact types, and places for the attack.
;;
;; A guest's file defines the core module $guest, which exports `call` and `post`,
;; and may define $memory, which exports `memory` and `realloc`; memory.wat is put
;; in where it does not. A file with the line ";; strings: utf16" gets its strings
;; in that encoding.
;;
;; `call` takes pointer and length of the tool, the arguments and the invocation,
;; the time (i64), pointer and length of the language, whether there is a
;; customer and pointer and length of their key, the level, and pointer and
;; length of the settings. It answers a pointer to a result<outcome, failure>:
;; byte 0 and byte 4 are the cases (0 0: reply), words 8 and 12 pointer and
;; length of the text.
(component
  (type $ty-kv (instance
    (type $kind' (enum "denied" "invalid" "not-found" "conflict" "limited" "unavailable" "uncertain"))
    (export "failure-kind" (type $kind (eq $kind')))
    (type $retry' (variant (case "never") (case "now") (case "after" u32)))
    (export "retry" (type $retry (eq $retry')))
    (type $failure' (record (field "kind" $kind) (field "message" string) (field "retry" $retry)))
    (export "failure" (type $failure (eq $failure')))
    (export "get" (func (param "key" string) (result (result (option (list u8)) (error $failure)))))
    (export "set" (func (param "key" string) (param "value" (list u8)) (param "ttl-s" u32) (result (result (error $failure)))))
  ))
  (import "postern:kv/state@0.1.0" (instance $kv (type $ty-kv)))
  (type $ty-log (instance
    (type $level' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "log" (func (param "level" $level) (param "message" string) (param "fields" (list (tuple string string)))))
  ))
  (import "postern:log/logging@0.1.0" (instance $log (type $ty-log)))
  (type $ty-types (instance
    (type $identity-level' (enum "unknown" "identified" "verified"))
    (export "identity-level" (type $identity-level (eq $identity-level')))
    (type $customer' (record (field "key" (option string)) (field "level" $identity-level)))
    (export "customer" (type $customer (eq $customer')))
    (type $context' (record (field "invocation-id" string) (field "now-ms" u64) (field "language" string) (field "customer" $customer) (field "settings" (list (tuple string string)))))
    (export "context" (type $context (eq $context')))
    (type $question' (record (field "entity" string) (field "text" string)))
    (export "question" (type $question (eq $question')))
    (type $severity' (enum "low" "normal" "high" "critical"))
    (export "severity" (type $severity (eq $severity')))
    (type $hand-over' (record (field "reason" string) (field "severity" $severity) (field "text" string)))
    (export "hand-over" (type $hand-over (eq $hand-over')))
    (type $outcome' (variant (case "reply" string) (case "ask" $question) (case "hand-over" $hand-over) (case "done")))
    (export "outcome" (type $outcome (eq $outcome')))
    (type $failure' (variant (case "invalid-arguments" string) (case "denied" string) (case "unavailable" string) (case "internal" string)))
    (export "failure" (type $failure (eq $failure')))
  ))
  (import "postern:skill/types@0.1.0" (instance $types (type $ty-types)))
  (type $ty-poll (instance
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
  ))
  (import "wasi:io/poll@0.2.6" (instance $poll (type $ty-poll)))
  (type $ty-error (instance (export "error" (type (sub resource)))))
  (import "wasi:io/error@0.2.6" (instance $error (type $ty-error)))
  (alias export $error "error" (type $io-error))
  (alias export $poll "pollable" (type $pollable))
  (type $ty-streams (instance
    (export "output-stream" (type $output-stream (sub resource)))
    (alias outer 1 $io-error (type $io-error'))
    (export "error" (type $io-error (eq $io-error')))
    (type $stream-error' (variant (case "last-operation-failed" (own $io-error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (alias outer 1 $pollable (type $pollable'))
    (export "pollable" (type $pollable (eq $pollable')))
    (export "[method]output-stream.check-write" (func (param "self" (borrow $output-stream)) (result (result u64 (error $stream-error)))))
    (export "[method]output-stream.subscribe" (func (param "self" (borrow $output-stream)) (result (own $pollable))))
  ))
  (import "wasi:io/streams@0.2.6" (instance $streams (type $ty-streams)))
  (alias export $streams "output-stream" (type $output-stream))
  (type $ty-stdout (instance
    (alias outer 1 $output-stream (type $output-stream'))
    (export "output-stream" (type $output-stream (eq $output-stream')))
    (export "get-stdout" (func (result (own $output-stream))))
  ))
  (import "wasi:cli/stdout@0.2.6" (instance $stdout (type $ty-stdout)))

{{memory}}
{{guest}}

  (core instance $memory (instantiate $memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))

  (core func $kv-get (canon lower (func $kv "get") (memory $mem) (realloc $realloc) string-encoding={{encoding}}))
  (core func $kv-set (canon lower (func $kv "set") (memory $mem) (realloc $realloc) string-encoding={{encoding}}))
  (core func $log-log (canon lower (func $log "log") (memory $mem) string-encoding={{encoding}}))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $check-write (canon lower (func $streams "[method]output-stream.check-write") (memory $mem)))
  (core func $subscribe (canon lower (func $streams "[method]output-stream.subscribe")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $drop-stream (canon resource.drop $output-stream))
  (core func $drop-pollable (canon resource.drop $pollable))
  (core instance $host
    (export "kv-get" (func $kv-get))
    (export "kv-set" (func $kv-set))
    (export "log" (func $log-log))
    (export "get-stdout" (func $get-stdout))
    (export "check-write" (func $check-write))
    (export "subscribe" (func $subscribe))
    (export "block" (func $block))
    (export "drop-stream" (func $drop-stream))
    (export "drop-pollable" (func $drop-pollable)))

  (core instance $guest (instantiate $guest
    (with "memory" (instance $memory))
    (with "host" (instance $host))))

  (alias export $types "identity-level" (type $identity-level))
  (alias export $types "customer" (type $customer))
  (alias export $types "context" (type $context))
  (alias export $types "question" (type $question))
  (alias export $types "severity" (type $severity))
  (alias export $types "hand-over" (type $hand-over))
  (alias export $types "outcome" (type $outcome))
  (alias export $types "failure" (type $failure))
  (func $call (param "tool" string) (param "arguments" string) (param "context" $context) (result (result $outcome (error $failure)))
    (canon lift (core func $guest "call") (memory $mem) (realloc $realloc) string-encoding={{encoding}}
      (post-return (core func $guest "post"))))

  ;; An exported function may only speak of types that are exported beside it.
  (component $tools
    (type $identity-level' (enum "unknown" "identified" "verified"))
    (import "identity-level" (type $identity-level (eq $identity-level')))
    (type $customer' (record (field "key" (option string)) (field "level" $identity-level)))
    (import "customer" (type $customer (eq $customer')))
    (type $context' (record (field "invocation-id" string) (field "now-ms" u64) (field "language" string) (field "customer" $customer) (field "settings" (list (tuple string string)))))
    (import "context" (type $context (eq $context')))
    (type $question' (record (field "entity" string) (field "text" string)))
    (import "question" (type $question (eq $question')))
    (type $severity' (enum "low" "normal" "high" "critical"))
    (import "severity" (type $severity (eq $severity')))
    (type $hand-over' (record (field "reason" string) (field "severity" $severity) (field "text" string)))
    (import "hand-over" (type $hand-over (eq $hand-over')))
    (type $outcome' (variant (case "reply" string) (case "ask" $question) (case "hand-over" $hand-over) (case "done")))
    (import "outcome" (type $outcome (eq $outcome')))
    (type $failure' (variant (case "invalid-arguments" string) (case "denied" string) (case "unavailable" string) (case "internal" string)))
    (import "failure" (type $failure (eq $failure')))
    (import "call" (func $call (param "tool" string) (param "arguments" string) (param "context" $context) (result (result $outcome (error $failure)))))
    (export $context-out "context" (type $context))
    (export $outcome-out "outcome" (type $outcome))
    (export $failure-out "failure" (type $failure))
    (export "call" (func $call) (func (param "tool" string) (param "arguments" string) (param "context" $context-out) (result (result $outcome-out (error $failure-out)))))
  )
  (instance $exported (instantiate $tools
    (with "identity-level" (type $identity-level))
    (with "customer" (type $customer))
    (with "context" (type $context))
    (with "question" (type $question))
    (with "severity" (type $severity))
    (with "hand-over" (type $hand-over))
    (with "outcome" (type $outcome))
    (with "failure" (type $failure))
    (with "call" (func $call))))
  (export "postern:skill/tools@0.1.0" (instance $exported))
)
