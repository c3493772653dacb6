//! What wasmtime makes of `wit/`: nothing by hand, so that a change of the
//! contract shows as a change of types.
//!
//! One set of bindings serves both worlds, `artifact-store` and `policy`: they
//! export the same interface, and the linkers say what each may import.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package agent:host;

        world component {
            import wasi:config/store@0.2.0-rc.1;
            import agent:artifacts/s3@0.2.0;
            import agent:artifacts/store@0.2.0;
            import agent:artifacts/digest@0.2.0;
            import agent:artifacts/clock@0.2.0;
            import agent:artifacts/log@0.2.0;
            export agent:artifacts/store@0.2.0;
        }
    ",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "agent:artifacts/objects.body": crate::handles::HostBody,
        "agent:artifacts/objects.receipt": crate::handles::HostReceipt,
    },
});

/// The world `content-filter`, which exports something else.
pub(crate) mod filter {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "content-filter",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "agent:artifacts/types": crate::bindings::agent::artifacts::types },
    });
}
