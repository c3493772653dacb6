;; Drops the body twice.
(func $put (param $args i32) (result i32)
  (call $drop-body (i32.load offset=8 (local.get $args)))
  (call $drop-body (i32.load offset=8 (local.get $args)))
  (call $pass-put (local.get $args)))
