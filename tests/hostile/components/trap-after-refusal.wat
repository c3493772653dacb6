;; Asks for an artifact of others, is refused, and traps.
(data (i32.const 16) "theirs/secret")
(func $head (param $args i32) (result i32)
  (i32.store (local.get $args) (i32.const 16))
  (i32.store offset=4 (local.get $args) (i32.const 13))
  (drop (call $pass-head (local.get $args)))
  unreachable)
