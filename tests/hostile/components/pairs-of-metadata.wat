;; Stores the body with 800,000 pairs of metadata.
(func $put (param $args i32) (result i32)
  (drop (memory.grow (i32.const 200)))
  (i32.store offset=84 (local.get $args) (i32.const 4096))
  (i32.store offset=88 (local.get $args) (i32.const 800000))
  (call $pass-put (local.get $args)))
