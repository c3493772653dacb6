//! Compilers that are killed, that lie, that are not there; and what a cache takes.
//!
//! This very program is the compiler, too: `main` begins as that of any program does
//! that compiles in a process of its own.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use artifact_compiled::{CodeCache, CompileError, CompileLimits, Compiler, compile_if_asked};
use libtest_mimic::{Arguments, Trial};
use wasmtime::{Config, Engine, component::Component};

mod bombs;
mod cache;

fn config() -> Config {
    let mut config = Config::new();
    config.consume_fuel(true);
    config
}

fn main() -> ExitCode {
    if let Some(done) = compile_if_asked(config) {
        return done;
    }
    let args = Arguments::from_args();
    let test = |name: &str, run: fn()| {
        Trial::test(name, move || {
            run();
            Ok(())
        })
    };
    let mut tests = vec![
        test("a_child_makes_the_same_code_as_this_process", same_code),
        test("a_component_that_is_not_valid_is_told_by_the_childs_parser", invalid),
        test("a_bomb_is_killed_in_time", bomb),
        test("a_compiler_that_needs_too_much_memory_is_told", memory),
        test("an_answer_that_is_too_large_ends_the_child", too_large),
        test("a_program_that_is_not_there_is_named", missing),
        test("other_settings_are_noticed", other_settings),
        test("code_is_kept_and_found", cache::kept),
        test("the_least_used_code_goes_first", cache::evicted),
    ];
    if cfg!(unix) {
        tests.extend([
            test("a_program_that_answers_something_else_is_not_believed", garbage),
            test("a_compiler_that_is_killed_is_told", killed),
            test("a_compiler_that_says_nothing_is_killed_in_time", silent),
            test("a_compiler_gets_no_variable_of_this_process", environment),
            test("damaged_code_is_replaced", cache::damaged),
            test("code_that_others_can_write_is_not_used", cache::writable),
            test("a_cache_is_its_users_alone", cache::private),
        ]);
    }
    libtest_mimic::run(&args, tests).exit_code()
}

fn component() -> Vec<u8> {
    wat::parse_str(
        r#"(component (core module $m (func (export "f") (result i32) i32.const 7))
             (core instance $i (instantiate $m))
             (func (export "f") (result u32) (canon lift (core func $i "f"))))"#,
    )
    .unwrap()
}

fn compile(compiler: &Compiler, component: Vec<u8>) -> Result<Component, CompileError> {
    let engine = Engine::new(&config()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(compiler.compile(&engine, component.into()))
}

/// What the component answers.
fn answer(component: &Component) -> u32 {
    let mut store = wasmtime::Store::new(component.engine(), ());
    store.set_fuel(1000).unwrap();
    let linker = wasmtime::component::Linker::new(component.engine());
    let instance = linker.instantiate(&mut store, component).unwrap();
    let function = instance.get_typed_func::<(), (u32,)>(&mut store, "f").unwrap();
    function.call(&mut store, ()).unwrap().0
}

fn limits() -> CompileLimits {
    CompileLimits::default()
}

fn child() -> Compiler {
    Compiler::this_program().unwrap()
}

fn same_code() {
    assert_eq!(answer(&compile(&child(), component()).unwrap()), 7);
    assert_eq!(answer(&compile(&Compiler::default(), component()).unwrap()), 7);
}

fn invalid() {
    let mut bytes = component();
    bytes.truncate(bytes.len() - 1);
    let error = compile(&child(), bytes.clone()).unwrap_err();
    assert!(matches!(error, CompileError::Invalid(_)), "{error:?}");
    assert_eq!(error.to_string(), compile(&Compiler::default(), bytes).unwrap_err().to_string());
}

fn bomb() {
    let time = Duration::from_secs(2);
    let start = Instant::now();
    let compiler = child().limits(CompileLimits { time, ..limits() });
    let error = compile(&compiler, bombs::many_jumps()).unwrap_err();
    assert_eq!(error.to_string(), "it took longer than 2s, which is the limit");
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}

fn memory() {
    // An honest component under a limit that no compiler can keep, and one that is made
    // to fill the memory.
    for (memory_bytes, bytes) in [(1 << 20, component()), (256 << 20, bombs::long_function())] {
        let compiler = child().limits(CompileLimits { memory_bytes, ..limits() });
        let error = compile(&compiler, bytes).unwrap_err();
        assert!(matches!(error, CompileError::Memory(most) if most == memory_bytes), "{error:?}");
    }
}

fn too_large() {
    let compiler = child().limits(CompileLimits { code_bytes: 1000, ..limits() });
    let error = compile(&compiler, component()).unwrap_err();
    assert!(matches!(error, CompileError::Size(1000)), "{error:?}");
}

fn missing() {
    let error = compile(&Compiler::program("no/such/compiler"), component()).unwrap_err();
    assert_eq!(error.to_string(), "the compiler no/such/compiler cannot be started");
    assert!(std::error::Error::source(&error).is_some());
}

fn other_settings() {
    let engine = Engine::new(&Config::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(child().compile(&engine, component().into())).unwrap_err();
    assert!(error.to_string().contains("other settings"), "{error}");
}

/// A compiler that is a shell script.
fn script(text: &str, time: Duration) -> CompileError {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("compiler");
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    set_mode(&path, 0o700);
    let compiler = Compiler::program(path).limits(CompileLimits { time, ..limits() });
    compile(&compiler, component()).unwrap_err()
}

fn garbage() {
    for text in ["cat", "echo hello", "exit 0"] {
        let error = script(text, limits().time);
        assert!(error.to_string().contains("something else than code"), "{text}: {error}");
    }
}

fn killed() {
    let error = script("echo 'out of \x1bluck' >&2; kill -9 $$", limits().time).to_string();
    assert!(error.contains("ended with signal: 9"), "{error}");
    assert!(error.ends_with("out of  luck"), "{error}");
}

fn silent() {
    let error = script("exec sleep 30", Duration::from_millis(300));
    assert!(matches!(error, CompileError::Time(_)), "{error:?}");
}

fn environment() {
    // Some shells add a few of their own.
    let error = script("exec env >&2 && exit 1; exit 1", limits().time);
    assert!(std::env::var_os("PATH").is_some());
    for variable in ["HOME=", "CARGO", "AWS_"] {
        assert!(!error.to_string().contains(variable), "{error}");
    }
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &std::path::Path, _: u32) {}
