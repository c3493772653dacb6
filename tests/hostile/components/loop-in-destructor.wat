;; Brings a resource of its own (see the .wit file) whose destructor loops, and drops one.
(import "[export]mine" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]mine" "[resource-drop]thing" (func $drop (param i32)))
(func (export "mine#[constructor]thing") (result i32) (call $new (i32.const 0)))
(func (export "mine#[dtor]thing") (param i32) (loop (br 0)))
(func $head (param $args i32) (result i32)
  (call $drop (call $new (i32.const 0)))
  (call $pass-head (local.get $args)))
