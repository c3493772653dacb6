;; Fails with a message of ten megabytes.
(func $head (param i32) (result i32)
  (drop (memory.grow (i32.const 165)))
  (memory.fill (i32.const 4096) (i32.const 120) (i32.const 10485760))
  (i32.store8 (i32.const 1024) (i32.const 1))
  (i32.store8 (i32.const 1032) (i32.const 10))
  (i32.store (i32.const 1036) (i32.const 4096))
  (i32.store (i32.const 1040) (i32.const 10485760))
  (i32.const 1024))
