//! What the WIT packages are in Rust. Expanded once, here.

#![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated code")]

wasmtime::component::bindgen!({
    inline: "package postern:host@0.1.0;
        world skill {
            import postern:handover/people@0.1.0;
            import postern:http/client@0.1.0;
            import postern:knowledge/search@0.1.0;
            import postern:kv/state@0.1.0;
            import postern:log/logging@0.1.0;
            import postern:message/sending@0.1.0;
            import postern:model/completion@0.1.0;
            import postern:records/store@0.1.0;
            import postern:schedule/timer@0.1.0;
            import postern:ticket/tickets@0.1.0;
            export postern:skill/tools@0.1.0;
        }",
    path: [
        "../../wit/handover",
        "../../wit/http",
        "../../wit/knowledge",
        "../../wit/kv",
        "../../wit/log",
        "../../wit/message",
        "../../wit/model",
        "../../wit/records",
        "../../wit/schedule",
        "../../wit/skill",
        "../../wit/ticket",
    ],
    imports: { default: async | trappable },
    exports: { default: async },
});
