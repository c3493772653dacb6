;; Returns the number that the receipt had in a call before this one.
(func $put (param $args i32) (result i32)
  (call $drop-body (i32.load offset=8 (local.get $args)))
  (i32.store8 (i32.const 1024) (i32.const 0))
  (i32.store (i32.const 1028) (i32.const 2))
  (i32.const 1024))
