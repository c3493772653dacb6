;; Fails with a message that lies beyond its memory.
(func $head (param i32) (result i32)
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store (i32.const 1036) (i32.const -65536))
  (i32.store (i32.const 1040) (i32.const 65535))
  (i32.const 1024))
