;; Loops when the host asks for room for the caller's key.
(func $realloc (param i32 i32 i32 i32) (result i32)
  (if (i32.eq (local.get 3) (i32.const 6)) (then (loop (br 0))))
  (call $bump (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
