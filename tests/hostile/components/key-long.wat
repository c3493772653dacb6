;; Stores the body under a key of 2,000 bytes that begins as it should.
(data (i32.const 16) "mine/")
(func $put (param $args i32) (result i32)
  (memory.fill (i32.const 8192) (i32.const 120) (i32.const 2000))
  (memory.copy (i32.const 8192) (i32.const 16) (i32.const 5))
  (i32.store (local.get $args) (i32.const 8192))
  (i32.store offset=4 (local.get $args) (i32.const 2000))
  (call $pass-put (local.get $args)))
