;; Says that the body is stored, stores nothing, and has no receipt.
(func $put (param i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 0))
  (i32.store (i32.const 1028) (i32.const 0))
  (i32.const 1024))
