//! Components that are small and valid, and cost a compiler dearly.

use wasm_encoder::{
    BlockType, CodeSection, Component, ConstExpr, Function, FunctionSection, GlobalSection,
    GlobalType, Module, ModuleSection, TypeSection, ValType,
};

/// One function in which every block can jump out of every block around it, with
/// locals that live across all of it: jumps are blocks times blocks, and what the
/// compiler keeps for each jump grows with the locals.
pub(crate) fn many_jumps() -> Vec<u8> {
    const BLOCKS: u32 = 900;
    const TABLES: u32 = 1200;
    const LOCALS: u32 = 200;
    let mut function = Function::new([(LOCALS, ValType::I32)]);
    let mut code = function.instructions();
    for _ in 0..BLOCKS {
        code.block(BlockType::Empty);
    }
    for table in 0..TABLES {
        for local in 0..LOCALS {
            code.local_get(local).i32_const(1).i32_add().local_set((local + table) % LOCALS);
        }
        code.block(BlockType::Empty);
        code.local_get(table % LOCALS).br_table((0..=BLOCKS).collect::<Vec<_>>(), 0);
        code.end();
    }
    for block in 0..BLOCKS {
        code.end();
        code.local_get(block % LOCALS).i32_const(3).i32_mul().local_set(block % LOCALS);
    }
    code.end();
    module(&function)
}

/// One function as long as functions may be, without a jump, all of which matters to its
/// result: it is kept at once, many times larger than it is.
pub(crate) fn long_function() -> Vec<u8> {
    let mut function = Function::new([(50, ValType::I64)]);
    let mut code = function.instructions();
    for at in 0..1_000_000_u32 {
        code.local_get(at % 50).local_get((at + 7) % 50).i64_mul().local_set((at + 13) % 50);
    }
    code.i64_const(0);
    for at in 0..50 {
        code.local_get(at).i64_xor();
    }
    code.global_set(0);
    code.end();
    module(&function)
}

fn module(function: &Function) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], []);
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut globals = GlobalSection::new();
    let global = GlobalType { val_type: ValType::I64, mutable: true, shared: false };
    globals.global(global, &ConstExpr::i64_const(0));
    let mut code = CodeSection::new();
    code.function(function);
    let mut module = Module::new();
    module.section(&types).section(&functions).section(&globals).section(&code);
    let mut component = Component::new();
    component.section(&ModuleSection(&module));
    component.finish()
}
