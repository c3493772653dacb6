;; Stores the body with a name of metadata that holds a header of its own.
(data (i32.const 16) "a: b\r\nx-amz-acl")
(data (i32.const 64) "\10\00\00\00\0f\00\00\00\10\00\00\00\01\00\00\00")
(func $put (param $args i32) (result i32)
  (i32.store offset=84 (local.get $args) (i32.const 64))
  (i32.store offset=88 (local.get $args) (i32.const 1))
  (call $pass-put (local.get $args)))
