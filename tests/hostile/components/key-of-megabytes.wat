;; Asks for a key of three megabytes.
(data (i32.const 16) "mine/")
(func $head (param $args i32) (result i32)
  (drop (memory.grow (i32.const 60)))
  (memory.fill (i32.const 8192) (i32.const 120) (i32.const 3000000))
  (memory.copy (i32.const 8192) (i32.const 16) (i32.const 5))
  (i32.store (local.get $args) (i32.const 8192))
  (i32.store offset=4 (local.get $args) (i32.const 3000000))
  (call $pass-head (local.get $args)))
