//! What wasmtime makes of `wit/`: nothing by hand, so that a change of the
//! contract shows as a change of types.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "artifact-store",
    imports: { default: async | trappable },
    exports: { default: async },
    with: {
        "agent:artifacts/objects.body": crate::handles::HostBody,
        "agent:artifacts/objects.receipt": crate::handles::HostReceipt,
    },
});
