;; Hands on a handle of a number as large as they come.
(func $put (param $args i32) (result i32)
  (i32.store offset=8 (local.get $args) (i32.const -1))
  (call $pass-put (local.get $args)))
