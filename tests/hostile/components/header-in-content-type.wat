;; Stores the body with a content type that holds a header of its own.
(data (i32.const 16) "text/plain\r\nx-amz-acl: public-read")
(func $put (param $args i32) (result i32)
  (i32.store8 offset=12 (local.get $args) (i32.const 1))
  (i32.store offset=16 (local.get $args) (i32.const 16))
  (i32.store offset=20 (local.get $args) (i32.const 34))
  (call $pass-put (local.get $args)))
