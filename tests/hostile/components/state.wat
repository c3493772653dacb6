;; Counts its calls, and fails if it remembers one.
(global $calls (mut i32) (i32.const 0))
(func $head (param $args i32) (result i32)
  (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
  (if (i32.ne (global.get $calls) (i32.const 1)) (then unreachable))
  (call $pass-head (local.get $args)))
