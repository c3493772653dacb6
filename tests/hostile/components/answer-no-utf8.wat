;; Fails with a message that is no UTF-8.
(data (i32.const 16) "\ff\fe\c0\80")
(func $head (param i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store (i32.const 1036) (i32.const 16))
  (i32.store (i32.const 1040) (i32.const 4))
  (i32.const 1024))
