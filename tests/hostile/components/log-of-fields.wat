;; Writes a record with 200,000 fields.
(import "agent:artifacts/log@0.2.0" "write" (func $log (param i32 i32 i32 i32 i32)))
(func $head (param i32) (result i32)
  (drop (memory.grow (i32.const 80)))
  (call $log (i32.const 0) (i32.const 16) (i32.const 0) (i32.const 4096) (i32.const 200000))
  unreachable)
